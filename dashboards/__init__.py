"""The studio's pages in a browser: one web door with sign-in, media and Panel pages."""
