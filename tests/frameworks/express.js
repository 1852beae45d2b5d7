'use strict';
// What the documents' receivers use of Express. `listen` answers the recorded request instead of waiting for one.

const { recorded, answer } = require('./recorded');

const isOf = (req, type) => (req.headers['content-type'] || '').split(';')[0].trim() === type;

function response() {
  let status = 200;
  return {
    status(code) {
      status = code;
      return this;
    },
    send: (text) => answer(status, text),
    json: (value) => answer(status, JSON.stringify(value)),
    end: () => answer(status, ''),
  };
}

module.exports = function express() {
  const steps = [];
  return {
    use: (...handlers) => handlers.forEach((handler) => steps.push({ handler })),
    post: (path, ...handlers) => handlers.forEach((handler) => steps.push({ path, handler })),
    listen() {
      const { bytes, ...req } = recorded();
      req.bytes = bytes;
      const res = response();
      try {
        for (const { path, handler } of steps) {
          if (path === undefined || (req.method === 'POST' && path === req.path)) {
            let goesOn = false;
            handler(req, res, () => (goesOn = true));
            if (!goesOn) break;
          }
        }
      } catch (error) {
        answer(error.status || 500, error.message);
      }
      answer(404, 'no route has answered');
    },
  };
};

// As body-parser does it: JSON in UTF-8, and by default only objects and arrays.
module.exports.json = () => (req, res, next) => {
  if (isOf(req, 'application/json')) {
    const text = new TextDecoder('utf-8').decode(req.bytes);
    if (!/^[\x20\x09\x0a\x0d]*[[{]/.test(text)) throw Object.assign(new Error('not strict JSON'), { status: 400 });
    try {
      req.body = JSON.parse(text);
    } catch (error) {
      throw Object.assign(error, { status: 400 });
    }
  }
  next();
};

// The Buffer as it came.
module.exports.raw = ({ type }) => (req, res, next) => {
  if (isOf(req, type)) req.body = req.bytes;
  next();
};
