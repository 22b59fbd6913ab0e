// The real messages of the benchmark: shelves of books, in three sizes.

/**
 * Messages of `manywire.test.codec.v1.Shelf` as services list them, by the size of their protobuf: strings, nested messages, numbers
 * of every kind, bytes, an enum, a map, a wrapper, a timestamp.
 */
export const shelves = { "200 B": shelf([briefBook()]), "2 KB": shelf(books(7)), "20 KB": shelf(books(73)) };

/** @param {object[]} books */
function shelf(books) {
  return { name: "shops/leipzig/shelves/fiction", books, nextPageToken: "CAEQ4Ku7mLzXhQMaDGJvb2tzLzEwMDA0Mg" };
}

/** @param {number} count */
function books(count) {
  return Array.from({ length: count }, (_, index) => book(index));
}

/** A book with fewer fields. */
function briefBook() {
  const { authors, cover: _, subtitle: __, sale: ___, ...rest } = book(0);
  return { ...rest, authors: authors.slice(0, 1), labels: { language: "en" } };
}

/** @param {number} index */
function book(index) {
  return {
    name: `shops/leipzig/books/${1000 + index}`,
    title: ["The Left Hand of Darkness", "Die Wand", "Straßen nach Süden"][index % 3],
    authors: [
      { name: "Ursula K. Le Guin", born: 1929 },
      { name: "Marlen Haushofer", born: 1920 + index },
    ],
    published: { seconds: 1_700_000_000n + BigInt(index) * 86_400n, nanos: index % 2 === 0 ? 0 : 123_000_000 },
    catalogueNumber: 9_783_548_605_715n + BigInt(index),
    price: 12.5 + index / 10,
    stock: [3, 150, 0, 12, 7 + index],
    cover: Uint8Array.from({ length: 24 }, (__, at) => at * index),
    binding: 1 + (index % 2),
    labels: { genre: "science fiction", language: "en", shelf: `A${index}`, condition: "as new" },
    rating: 4.5,
    subtitle: index % 2 === 0 ? "A novel" : undefined,
    sale:
      index % 2 === 0
        ? { case: "shop", value: "Leipzig Hauptbahnhof" }
        : { case: "agent", value: { name: "Zweitausendeins" } },
  };
}
