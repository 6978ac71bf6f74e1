// Sounds made of oscillators and noise: no files. Silent until somebody wants to hear them.
import { remember, remembered } from "../remembered.mjs";

const KEY = "sound";

// tone: from … to Hz; noise: the middle of its band in Hz. Lengths in s, volumes 0 … 1.
const RECIPES = {
    shot: [
        { tone: [720, 140], shape: "square", length: 0.09, volume: 0.12 },
        { noise: 2600, length: 0.06, volume: 0.2 },
    ],
    foeShot: [
        { tone: [420, 110], shape: "square", length: 0.09, volume: 0.08 },
        { noise: 1700, length: 0.06, volume: 0.12 },
    ],
    swing: [{ noise: 1400, length: 0.12, volume: 0.22 }],
    hit: [
        { tone: [240, 90], shape: "triangle", length: 0.14, volume: 0.4 },
        { noise: 900, length: 0.08, volume: 0.3 },
    ],
    hurt: [
        { tone: [160, 60], shape: "sawtooth", length: 0.2, volume: 0.3 },
        { noise: 500, length: 0.12, volume: 0.35 },
    ],
    kill: [
        { tone: [520, 60], shape: "sawtooth", length: 0.45, volume: 0.25 },
        { noise: 700, length: 0.4, volume: 0.35 },
    ],
    jump: [{ tone: [240, 480], shape: "triangle", length: 0.1, volume: 0.16 }],
    land: [{ noise: 240, length: 0.06, volume: 0.25 }],
    tick: [{ tone: [660, 660], shape: "sine", length: 0.08, volume: 0.25 }],
    go: [{ tone: [990, 990], shape: "sine", length: 0.28, volume: 0.3 }],
    win: [
        { tone: [523, 523], shape: "triangle", length: 0.16, volume: 0.3 },
        { tone: [659, 659], shape: "triangle", length: 0.16, volume: 0.3, after: 0.13 },
        { tone: [784, 784], shape: "triangle", length: 0.4, volume: 0.3, after: 0.26 },
    ],
    lose: [
        { tone: [392, 380], shape: "triangle", length: 0.2, volume: 0.3 },
        { tone: [294, 260], shape: "triangle", length: 0.45, volume: 0.3, after: 0.18 },
    ],
};

export class Sound {
    on = remembered(KEY, false);
    #audio = null;
    #noise = null;

    set(on) {
        this.on = on;
        remember(KEY, on);
        if (on) this.play("tick");
    }

    /** `pan`: −1 left … 1 right. */
    play(name, pan = 0) {
        if (!this.on) return;
        this.#audio ??= new AudioContext();
        if (this.#audio.state === "suspended") this.#audio.resume(); // until a key was pressed
        if (this.#audio.state !== "running") return;
        const out = new StereoPannerNode(this.#audio, { pan: Math.max(-1, Math.min(1, pan)) });
        out.connect(this.#audio.destination);
        for (const part of RECIPES[name]) this.#sound(part, out);
    }

    #sound({ tone, noise, shape, length, volume, after = 0 }, out) {
        const audio = this.#audio;
        const at = audio.currentTime + after;
        const gain = new GainNode(audio, { gain: 0 });
        gain.gain.setValueAtTime(volume, at);
        gain.gain.exponentialRampToValueAtTime(0.001, at + length);
        gain.connect(out);
        const source = tone ? this.#tone(tone, shape, at, length) : this.#hiss(noise, gain);
        if (tone) source.connect(gain);
        source.start(at);
        source.stop(at + length);
    }

    #tone([from, to], type, at, length) {
        const made = new OscillatorNode(this.#audio, { type, frequency: from });
        made.frequency.setValueAtTime(from, at);
        made.frequency.exponentialRampToValueAtTime(to, at + length);
        return made;
    }

    #hiss(frequency, gain) {
        const audio = this.#audio;
        if (!this.#noise) {
            this.#noise = new AudioBuffer({ length: 24000, sampleRate: 48000 });
            const samples = this.#noise.getChannelData(0);
            for (let at = 0; at < samples.length; at++) samples[at] = Math.random() * 2 - 1;
        }
        const filter = new BiquadFilterNode(audio, { type: "bandpass", frequency, Q: 0.8 });
        filter.connect(gain);
        const made = new AudioBufferSourceNode(audio, { buffer: this.#noise });
        made.connect(filter);
        return made;
    }
}
