// Writes the extensions of messages, which messages keep as unknown fields, with the types of a registry.
import { type DescExtension, type DescMessage, getExtension, type Message, type Registry } from "@bufbuild/protobuf";
import { writeList } from "./json-write-collections.js";
import { within } from "./json-write-error.js";
import type { ValueWriter } from "./json-write-scalar.js";

/** Writes the extensions of a message with their names, `"[pkg.name]":1`; "" if there is none. */
export type ExtensionsWriter = (message: Message, desc: DescMessage) => string;

/**
 * @param writerOf gives the writer of one value of an extension
 * @param always whether to write empty lists
 */
export function createExtensionsWriter(
  registry: Registry,
  writerOf: (extension: DescExtension) => ValueWriter,
  always: boolean,
): ExtensionsWriter {
  const writers = new WeakMap<DescExtension, (message: Message) => string>();
  const writerFor = (extension: DescExtension) => {
    const writer = writers.get(extension) ?? extensionWriter(extension, writerOf(extension), always);
    writers.set(extension, writer);
    return writer;
  };
  return (message, desc) => {
    const numbers = new Set(message.$unknown?.map(({ no }) => no));
    const extensions = [...numbers].flatMap((number) => registry.getExtensionFor(desc, number) ?? []);
    const members = extensions.map((extension) => writerFor(extension)(message));
    return members.filter((member) => member !== "").join();
  };
}

function extensionWriter(extension: DescExtension, write: ValueWriter, always: boolean): (message: Message) => string {
  const { jsonName } = extension;
  const prefix = `${JSON.stringify(jsonName)}:`;
  return (message) => {
    try {
      const value = getExtension(message, extension);
      if (extension.fieldKind !== "list") return prefix + write(value);
      return !always && (value as unknown[]).length === 0 ? "" : prefix + writeList(value, write);
    } catch (error) {
      throw within(jsonName, error);
    }
  };
}
