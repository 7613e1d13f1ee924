// Copyright: (c) 2026, the cloudn.compute authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// The connection to the emulator. It ends while the page is hidden: browsers keep only a few for each server.

const AGAIN = 2000; // ms

export class Stream {
  constructor(address, tell, live) {
    this.address = address;
    this.tell = tell;
    this.live = live;
    this.last = "";
    document.addEventListener("visibilitychange", () => (document.hidden ? this.stop() : this.start()));
    window.addEventListener("pagehide", () => this.stop());
    window.addEventListener("pageshow", () => this.start());
    this.start();
  }

  start() {
    if (this.source || document.hidden) return;
    clearTimeout(this.timer);
    const source = new EventSource(this.last ? `${this.address}?since=${encodeURIComponent(this.last)}` : this.address);
    this.source = source;
    source.onopen = () => this.live("live");
    source.onmessage = (event) => {
      this.last = event.lastEventId;
      this.tell(JSON.parse(event.data));
    };
    source.onerror = () => {
      this.stop();
      this.live("lost");
      this.timer = setTimeout(() => this.start(), AGAIN);
    };
  }

  stop() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }
}
