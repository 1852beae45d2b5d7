// Writes each line of JSON again, as the receiver in Express does.
const readline = require('readline');

readline.createInterface({ input: process.stdin, crlfDelay: Infinity })
  .on('line', (line) => process.stdout.write(`${JSON.stringify(JSON.parse(line))}\n`));
