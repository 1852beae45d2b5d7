// Writes JSON again as the receiver in Express does, one text after another: NUL ends each, as none holds it.
const fs = require('fs');

const texts = fs.readFileSync(0, 'utf8').split('\0').slice(0, -1);
fs.writeFileSync(1, texts.map((text) => `${JSON.stringify(JSON.parse(text))}\0`).join(''));
