// What every operation of a method says of it, whatever the way to call it.
import type { DescMethod } from "@bufbuild/protobuf";
import type { Comments } from "./comments.js";
import { readOperationOptions } from "./gateway-options.js";
import { plainText } from "./inline-markdown.js";
import type { ExternalDocs, Operation } from "./types.js";

/** Summary, description and mark of one method. */
interface MethodText {
  readonly summary: string;
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly externalDocs?: ExternalDocs;
  readonly security?: NonNullable<Operation["security"]>;
}

/**
 * The first sentence of the comment is the summary, and the whole comment the description, if there is more. OpenAPI has
 * Markdown in descriptions only, so the summary is plain text. Options of grpc-gateway replace them.
 */
export function describeMethod(method: DescMethod, comments: Comments, notes: readonly string[] = []): MethodText {
  const comment = comments.get(`${method.parent.typeName}.${method.name}`) ?? "";
  const { isDeprecated, externalDocs, security, ...own } = readOperationOptions(method);
  const sentence = firstSentence(comment);
  const summary = own.summary ?? plainText(sentence);
  const rest = (own.summary ?? sentence) === comment.replace(/\s+/g, " ") ? "" : comment;
  const description = [own.description ?? rest, ...notes].filter((text) => text !== "").join("\n\n");
  return {
    summary: summary === "" ? method.name : summary,
    ...(description === "" ? {} : { description }),
    ...(isDeprecated || method.deprecated || method.parent.deprecated ? { deprecated: true } : {}),
    ...(externalDocs && { externalDocs }),
    ...(security && { security }),
  };
}

/** Up to a full stop with a space behind it, or to the end of the paragraph. */
function firstSentence(comment: string): string {
  const [paragraph = ""] = comment.split(/\n\s*\n/, 1);
  const line = paragraph.replace(/\s+/g, " ").trim();
  return /^.*?[.!?]["')]*(?=\s+[A-Z`*])/.exec(line)?.[0] ?? line;
}
