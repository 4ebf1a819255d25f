// Judges Normalize. First it prints its versions; then for each line {"in": [...], "out": [...]} it prints the pairs that
// are not in.trim().toLowerCase() === out, with the code points of "in" that its Unicode version has not assigned.
import { createInterface } from "node:readline";

console.log(JSON.stringify(process.versions));
for await (const line of createInterface({ input: process.stdin })) {
  const batch = JSON.parse(line);
  const wrong = [];
  batch.in.forEach((s, i) => {
    const want = s.trim().toLowerCase();
    if (want !== batch.out[i]) {
      wrong.push({ in: s, out: batch.out[i], want, unassigned: [...s].filter((c) => /\p{Cn}/u.test(c)).join("") });
    }
  });
  console.log(JSON.stringify({ judged: batch.in.length, wrong }));
}
