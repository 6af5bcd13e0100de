"""The library of models and LoRAs: inventory, integrity, and where each is used."""
