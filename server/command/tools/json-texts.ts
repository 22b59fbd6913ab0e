// Splits text into the JSON values in it, which follow each other with or without white space between.

/** Takes parts of the text and returns the values that they complete. */
export class JsonTexts {
  #text = "";
  /** How far `#text` has been looked at. */
  #index = 0;
  #depth = 0;
  #isInString = false;

  push(part: string): string[] {
    this.#text += part;
    const values: string[] = [];
    while (this.#index < this.#text.length) {
      const isEnd = this.#isEndAfter(this.#text.charAt(this.#index));
      this.#index++;
      if (isEnd) this.#take(values);
    }
    return values;
  }

  /** The rest of the text, which is a number or a word, or is incomplete. */
  end(): string[] {
    const rest: string[] = [];
    this.#take(rest);
    return rest;
  }

  /** Whether a value ends with a character, or before it where it is white space. */
  #isEndAfter(char: string): boolean {
    if (this.#isInString) {
      if (char === "\\") this.#index++;
      else if (char === '"') this.#isInString = false;
      return char === '"' && this.#depth === 0;
    }
    if (char === '"') this.#isInString = true;
    else if (char === "{" || char === "[") this.#depth++;
    else if (char === "}" || char === "]") this.#depth--;
    else return this.#depth === 0 && /\s/.test(char);
    return this.#depth <= 0 && !this.#isInString;
  }

  #take(values: string[]): void {
    const value = this.#text.slice(0, this.#index).trim();
    this.#text = this.#text.slice(this.#index);
    this.#index = 0;
    this.#depth = 0;
    this.#isInString = false;
    if (value !== "") values.push(value);
  }
}
