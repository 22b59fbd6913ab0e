// Tells observers that a call goes on to an upstream, whose request may get headers of theirs.
import type { ForwardEnd, ObservedCall } from "../call/observer.js";
import { checkOutgoing } from "../http2/field-rules.js";
import { createField, type Field } from "../http2/hpack/field.js";

/** Returns the fields of the request, and what to call at its end. @param call undefined without observers */
export function announce(
  call: ObservedCall | undefined,
  url: string,
  fields: readonly Field[],
): [fields: readonly Field[], onEnd: ForwardEnd | undefined] {
  if (call === undefined) return [fields, undefined];
  const own: Field[] = [];
  const onEnd = call.forward({ url, setHeader: (name, value) => void own.push(checkedField(name, value)) });
  if (own.length === 0) return [fields, onEnd];
  return [[...fields.filter(({ name }) => !own.some((one) => one.name === name)), ...own], onEnd];
}

function checkedField(name: string, value: string): Field {
  const field = createField(name, value);
  const fault = checkOutgoing([field]);
  if (fault !== undefined) throw new Error(`setHeader: ${fault}`);
  return field;
}
