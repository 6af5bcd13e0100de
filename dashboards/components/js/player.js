// Frame-accurate player on an HTML5 video. A frame is shown when the browser says so, never when we hope so.
//
// Seeks go to the middle of a frame, (n + 0.5) / fps: at n / fps a decoder may show either neighbour. The number
// on screen comes from requestVideoFrameCallback (the frame really presented); where that callback does not come,
// as when a seek ends on the frame already shown, a timeout takes the number from currentTime.

const CONFIRM_MS = 350;
export const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 4];

export class Player extends EventTarget {
  constructor(video, { fps, frames }) {
    super();
    this.video = video;
    this.fps = fps;
    this.frames = frames;
    this.shown = 0;
    this.confirmedBy = "start";
    this.wanted = null;
    this.busy = false;
    this.speed = 1;
    this.direction = 0;
    this.loop = null;
    this.listen();
  }

  listen() {
    const frameShown = (_, meta) => {
      if (this.gone) return;
      if (!this.busy) this.confirm(this.frameAt(meta.mediaTime), "frame");
      this.video.requestVideoFrameCallback(frameShown);
    };
    this.video.requestVideoFrameCallback(frameShown);
    this.video.addEventListener("ended", () => this.ended());
    this.video.addEventListener("error", () => this.dispatchEvent(new Event("broken")));
    this.video.addEventListener("loadeddata", () => { if (!this.busy && this.wanted === null && !this.direction) this.seek(this.shown); }, { once: true });
  }

  close() { this.gone = true; this.halt(); this.video.removeAttribute("src"); this.video.load(); }

  // A presented frame's time is its own start; rounding takes away the time base's error.
  frameAt(mediaTime) { return this.clamp(Math.round(mediaTime * this.fps)); }

  clamp(frame) { return Math.min(this.frames - 1, Math.max(0, Math.trunc(frame))); }

  confirm(frame, by) {
    const changed = frame !== this.shown || this.confirmedBy !== by;
    this.shown = frame;
    this.confirmedBy = by;
    if (this.direction > 0 && this.loop && frame >= this.loop[1] - 1) { this.seek(this.loop[0], { keep: true }); return; }
    if (changed) this.dispatchEvent(new Event("frame"));
  }

  // ------------------------------------------------------------ seeking
  seek(frame, { keep = false } = {}) {
    if (!keep) this.halt();
    this.wanted = this.clamp(frame);
    this.target = this.wanted;
    return this.busy ? this.settled : (this.settled = this.work());
  }

  async work() {
    this.busy = true;
    while (this.wanted !== null && !this.gone) {
      const frame = this.wanted;
      this.wanted = null;
      const [shown, by] = await this.jump(frame);
      this.confirm(shown, by);
    }
    this.busy = false;
    return this.shown;
  }

  jump(frame) {
    return new Promise((done) => {
      const video = this.video;
      const time = (frame + 0.5) / this.fps;
      // A frame presented before the seek began may be told of after it: it is not the answer.
      const heard = (_, meta) => {
        const found = this.frameAt(meta.mediaTime);
        if (found !== frame && video.seeking) { handle = video.requestVideoFrameCallback(heard); return; }
        clearTimeout(timer);
        done([found, "frame"]);
      };
      let handle = video.requestVideoFrameCallback(heard);
      // Before its first data have come a video shows nothing, whatever its currentTime says.
      const late = () => {
        if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA && !video.error) { video.addEventListener("loadeddata", () => setTimeout(late, 60), { once: true }); video.addEventListener("error", late, { once: true }); return; }
        video.cancelVideoFrameCallback(handle);
        done([this.clamp(Math.floor(video.currentTime * this.fps + 1e-6)), "timeout"]);
      };
      const timer = setTimeout(() => {
        if (video.seeking) video.addEventListener("seeked", () => setTimeout(late, 60), { once: true }); else late();
      }, CONFIRM_MS);
      video.currentTime = time;
    });
  }

  // While a seek is under way, steps count from where it goes, so that none of them is lost.
  step(by) { return this.seek((this.busy ? this.target : this.shown) + by); }

  // ------------------------------------------------------------ playing
  get playing() { return this.direction !== 0; }

  toggle() { if (this.playing) this.stop(); else this.play(1); }

  play(direction, speed = this.speed) {
    this.speed = speed;
    this.direction = direction;
    clearInterval(this.reverse);
    if (direction > 0) {
      if (this.loop && (this.shown < this.loop[0] || this.shown >= this.loop[1] - 1)) this.seek(this.loop[0], { keep: true });
      else if (!this.loop && this.shown >= this.frames - 1) this.seek(0, { keep: true });
      this.video.playbackRate = speed;
      this.video.play().catch(() => this.stop());
    } else this.rewind();
    this.dispatchEvent(new Event("state"));
  }

  // Browsers do not play backwards: seek, as fast as frames are confirmed, to where the clock says we are.
  rewind() {
    this.video.pause();
    const from = this.shown, since = performance.now();
    this.reverse = setInterval(() => {
      const frame = Math.round(from - ((performance.now() - since) / 1000) * this.fps * this.speed);
      const low = this.loop ? this.loop[0] : 0;
      if (!this.busy) this.seek(Math.max(low, frame), { keep: true });
      if (frame <= low) this.stop();
    }, 1000 / this.fps / 2);
  }

  // A frame may be presented between the last callback and the pause: ask for the one we stand on and confirm it.
  stop() {
    const forwards = this.direction > 0;
    this.halt();
    if (forwards) this.seek(Math.floor(this.video.currentTime * this.fps + 1e-6), { keep: true });
  }

  halt() {
    const was = this.playing;
    this.direction = 0;
    clearInterval(this.reverse);
    if (!this.video.paused) this.video.pause();
    if (was) this.dispatchEvent(new Event("state"));
  }

  ended() {
    if (this.loop) { this.seek(this.loop[0], { keep: true }).then(() => this.direction > 0 && this.video.play()); return; }
    this.halt();
    this.confirm(this.frames - 1, "ended");
  }

  shuttle(direction) {
    const faster = { 1: 2, 2: 4, 4: 4 };
    this.play(direction, this.direction === direction ? faster[this.speed] ?? 1 : 1);
  }

  setSpeed(by) {
    const at = SPEEDS.indexOf(this.speed);
    const speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, (at < 0 ? 3 : at) + by))];
    this.speed = speed;
    if (this.direction > 0) this.video.playbackRate = speed; else if (this.direction < 0) this.play(-1, speed);
    this.dispatchEvent(new Event("state"));
  }

  setLoop(range) { this.loop = range && range[1] - range[0] > 1 ? range : null; this.dispatchEvent(new Event("state")); }
}
