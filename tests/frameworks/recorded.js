'use strict';
// The request of the file that is named on the command line, and the end of the process that judged it.

const fs = require('fs');

exports.recorded = () => {
  const bytes = fs.readFileSync(process.argv.at(-1));
  const end = bytes.indexOf('\r\n\r\n');
  const [line, ...fields] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const [method, path] = line.split(' ');
  const headers = {};
  for (const field of fields) {
    const colon = field.indexOf(':');
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
  }
  return { method, path, headers, bytes: bytes.subarray(end + 4) };
};

exports.answer = (status, text) => {
  fs.writeSync(1, `${status} ${text}\n`);
  process.exit(status >= 200 && status < 300 ? 0 : 1);
};
