import { describe, expect, it } from "vitest";
import { markdown } from "../../../server/pages/markdown.js";

describe("Markdown", () => {
  it.each<[string, string, string]>([
    ["paragraphs", "One.\ntwo\n\nThree.", "<p>One.\ntwo</p><p>Three.</p>"],
    ["headings", "# Title #\ntext", "<p><b>Title</b></p><p>text</p>"],
    ["bullets", "Text:\n- a\n- b\n  c\n\nafter", "<p>Text:</p><ul><li>a</li><li>b\nc</li></ul><p>after</p>"],
    ["nested bullets", "- a\n  - b", "<ul><li><p>a</p><ul><li>b</li></ul></li></ul>"],
    ["numbers", "1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"],
    ["a number in a paragraph", "the year\n2024. was", "<p>the year\n2024. was</p>"],
    ["a fence", "a\n```json\n{ *b* }\n```\nc", "<p>a</p><pre><code>{ *b* }</code></pre><p>c</p>"],
    ["a fence without an end", "```\na", "<pre><code>a</code></pre>"],
    ["indented code", "    a <b>\n\n    c", "<pre><code>a &lt;b&gt;\n\nc</code></pre>"],
    ["a quote", "> a\n> b", "<blockquote><p>a\nb</p></blockquote>"],
    ["a rule", "a\n\n---\nb", "<p>a</p><hr><p>b</p>"],
    ["code", "`a*b*` and ``c`d``", "<p><code>a*b*</code> and <code>c`d</code></p>"],
    ["emphasis", "*a b* _c_ **d** __e__", "<p><em>a b</em> <em>c</em> <strong>d</strong> <strong>e</strong></p>"],
    ["resource names", "shelves/*/books/* and shelves/*/x", "<p>shelves/*/books/* and shelves/*/x</p>"],
    ["names with underscores", "a_b_c and a__b__c 2*3*4", "<p>a_b_c and a__b__c 2*3*4</p>"],
    ["escapes", "\\*a\\* \\`", "<p>*a* `</p>"],
    ["line breaks", "a  \nb\\\nc", "<p>a<br>b<br>c</p>"],
    ["links", "[a *b*](https://c.d/e_f)", '<p><a href="https://c.d/e_f" rel="noreferrer">a <em>b</em></a></p>'],
    ["bare links", "see https://a.b/c.", '<p>see <a href="https://a.b/c" rel="noreferrer">https://a.b/c</a>.</p>'],
    ["links that run code", "[a](javascript:alert%281%29)", "<p>a</p>"],
    ["HTML", "<img src=x onerror=y> &amp;", "<p>&lt;img src=x onerror=y&gt; &amp;amp;</p>"],
    ["quotes in a link", '[a](https://b/"onx)', '<p><a href="https://b/&quot;onx" rel="noreferrer">a</a></p>'],
  ])("has %s", (_, text, expected) => {
    expect(markdown(text).text).toBe(expected);
  });

  it.each(["`", "[", "*", "_", "\\", "- ", "> ", "```", "1. ", "    "])("bears %j many times", (text) => {
    const began = performance.now();
    markdown(text.repeat(20_000));
    markdown(`${text}a`.repeat(5000));
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
