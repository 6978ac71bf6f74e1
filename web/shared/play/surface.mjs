// A canvas that is as sharp as the screen and has the page's colours, and the frames to paint it.

const RATIO_MAX = 2.5; // denser screens are not seen to be so, but cost

export class Surface {
    context;
    width = 1; // CSS px
    height = 1;
    ratio = 1;
    calm = matchMedia("(prefers-reduced-motion: reduce)");
    colours = {};
    onChange = () => {}; // another size or other colours: what was painted ahead is stale
    #canvas;
    #names;

    /** `colours`: names of custom properties without their dashes. */
    constructor(canvas, colours) {
        this.#canvas = canvas;
        this.#names = colours;
        this.context = canvas.getContext("2d", { alpha: false });
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#read());
        this.#read();
        new ResizeObserver(() => this.#resize()).observe(canvas);
        this.#resize();
    }

    #read() {
        const style = getComputedStyle(document.documentElement);
        for (const name of this.#names)
            this.colours[name] = style.getPropertyValue(`--${name}`).trim();
        this.onChange();
    }

    #resize() {
        const canvas = this.#canvas;
        this.ratio = Math.min(devicePixelRatio || 1, RATIO_MAX);
        this.width = Math.max(1, canvas.clientWidth);
        this.height = Math.max(1, canvas.clientHeight);
        canvas.width = Math.round(this.width * this.ratio);
        canvas.height = Math.round(this.height * this.ratio);
        this.onChange();
    }

    /** From an event's place to CSS px of the canvas. */
    place({ clientX, clientY }) {
        const box = this.#canvas.getBoundingClientRect();
        return { x: clientX - box.left, y: clientY - box.top };
    }
}

/** Calls `paint(now, elapsedMs)` for every frame of the screen while the page is seen. */
export function everyFrame(paint) {
    let last = performance.now();
    const frame = (now) => {
        requestAnimationFrame(frame);
        paint(now, Math.min(100, Math.max(0, now - last)));
        last = now;
    };
    requestAnimationFrame(frame);
}
