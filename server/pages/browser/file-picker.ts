// Lets a file fill a field of the request.
import { element, labelled } from "./dom.js";
import type { ReadFile } from "./file-references.js";
import type { FileField } from "./method.js";

export class FilePicker {
  readonly root: HTMLElement;
  /** The files chosen so far, by name. */
  readonly files: Map<string, ReadFile> = new Map();
  readonly #field: HTMLSelectElement;

  /** @param onFile called with the field that the file is for */
  constructor(fields: readonly FileField[], onFile: (field: FileField, file: ReadFile) => void) {
    const options = fields.map(({ path }) => element("option", {}, path.join(".") || "the request"));
    this.#field = element("select", { name: "file-field" }, ...options);
    const input = element("input", { type: "file" });
    input.addEventListener("change", async () => {
      const [chosen] = input.files ?? [];
      const field = fields[Math.max(0, this.#field.selectedIndex)];
      if (chosen === undefined || field === undefined) return;
      const file = await readFile(chosen);
      this.files.set(file.name, file);
      onFile(field, file);
    });
    const target = fields.length > 1 ? [labelled("Field", this.#field)] : [];
    const name = fields[0]?.path.join(".") ?? "";
    const label = fields.length > 1 || name === "" ? "File" : `File for ${name}`;
    this.root = element("div", { class: "row" }, ...target, labelled(label, input));
  }
}

async function readFile(file: File): Promise<ReadFile> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return { name: file.name, type: file.type, base64: toBase64(bytes) };
}

/** In slices, because a call takes a limited number of arguments. */
function toBase64(bytes: Uint8Array): string {
  const size = 0x8000;
  let binary = "";
  for (let start = 0; start < bytes.length; start += size) {
    binary += String.fromCharCode(...bytes.subarray(start, start + size));
  }
  return btoa(binary);
}
