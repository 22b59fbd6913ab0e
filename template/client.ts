import { createClient, createTransport } from "manywire/client";
import { WordService } from "./gen/words/v1/words_pb.js";

const baseUrl = process.env.WORDS_URL ?? "http://localhost:50051";
const client = createClient(WordService, createTransport({ protocol: "grpc", baseUrl }));
const [word = "wire"] = process.argv.slice(2);
const reversed = await client.reverse({ word });
process.stdout.write(`${reversed.word}\n`);
