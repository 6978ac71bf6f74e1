/** What the server or this client refused, or a connection that failed. `code` is one of
 * docs/games.md or of README.md here. */
export class Refusal extends Error {
    readonly code: string;

    constructor(code: string, message: string) {
        super(message);
        this.name = "Refusal";
        this.code = code;
    }
}
