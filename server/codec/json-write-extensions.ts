// Writes the extensions of messages, which messages keep as unknown fields, with the types of a registry.
import { type DescExtension, type DescMessage, getExtension, type Message, type Registry } from "@bufbuild/protobuf";
import { encodeName, putName } from "./json-output.js";
import { writeList } from "./json-write-collections.js";
import { within } from "./json-write-error.js";
import type { ValueWriter } from "./json-write-scalar.js";

/** Writes the extensions of a message as members, `"[pkg.name]":1`. */
export type ExtensionsWriter = (message: Message, desc: DescMessage) => void;

/**
 * @param writerOf gives the writer of one value of an extension
 * @param always whether to write empty lists
 */
export function createExtensionsWriter(
  registry: Registry,
  writerOf: (extension: DescExtension) => ValueWriter,
  always: boolean,
): ExtensionsWriter {
  const writers = new WeakMap<DescExtension, (message: Message) => void>();
  const writerFor = (extension: DescExtension) => {
    const writer = writers.get(extension) ?? extensionWriter(extension, writerOf(extension), always);
    writers.set(extension, writer);
    return writer;
  };
  return (message, desc) => {
    const numbers = new Set(message.$unknown?.map(({ no }) => no));
    const extensions = [...numbers].flatMap((number) => registry.getExtensionFor(desc, number) ?? []);
    for (const extension of extensions) writerFor(extension)(message);
  };
}

function extensionWriter(extension: DescExtension, write: ValueWriter, always: boolean): (message: Message) => void {
  const { jsonName, fieldKind } = extension;
  const name = encodeName(jsonName);
  return (message) => {
    try {
      const value = getExtension(message, extension);
      if (!always && fieldKind === "list" && (value as unknown[]).length === 0) return;
      putName(name);
      if (fieldKind === "list") writeList(value, write);
      else write(value);
    } catch (error) {
      throw within(jsonName, error);
    }
  };
}
