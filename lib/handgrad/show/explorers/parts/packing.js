// Reads what packing.py writes: whole numbers from 0 to 4095, two letters each.
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NUMBERS = new Map([...LETTERS].map((letter, number) => [letter, number]));

export const LIMIT = LETTERS.length ** 2;

export function unpack(text) {
  const numbers = new Uint16Array(text.length / 2);
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = NUMBERS.get(text[2 * i]) * LETTERS.length + NUMBERS.get(text[2 * i + 1]);
  }
  return numbers;
}

// The same in rows of `width` numbers: unpackRows(text, 2) are points.
export function unpackRows(text, width) {
  const numbers = unpack(text);
  return Array.from({ length: numbers.length / width }, (_, i) => [...numbers.slice(i * width, (i + 1) * width)]);
}
