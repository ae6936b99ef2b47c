// Asks a running `edgeshard serve` by the official OpenAI client and writes what
// came, as JSON: node client.mjs BASE_URL API_KEY PROMPT TOKENS
import OpenAI from 'openai';

const [baseURL, apiKey, prompt, tokens] = process.argv.slice(2);
const max_tokens = Number(tokens);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = (await client.models.list()).data[0].id;
const greedy = { model, temperature: 0, max_tokens };
const messages = [{ role: 'user', content: prompt }];

// collect puts the parts of a stream together.
async function collect(stream, pick) {
  const all = { text: '', parts: 0, finish: null, usage: null };
  for await (const part of stream) {
    all.usage = part.usage ?? all.usage;
    for (const choice of part.choices) {
      all.text += pick(choice) ?? '';
      all.parts++;
      all.finish = choice.finish_reason ?? all.finish;
    }
  }
  return all;
}

// refusal returns what the client makes of an answer that is an error.
async function refusal(ask) {
  try {
    await ask();
    return 'none';
  } catch (err) {
    return `${err.constructor.name} ${err.status} ${err.code} ${err.param}`;
  }
}

const out = { model, retrieved: (await client.models.retrieve(model)).id };

const completion = await client.completions.create({ ...greedy, prompt, logprobs: 2 });
out.completion = {
  text: completion.choices[0].text, finish: completion.choices[0].finish_reason, usage: completion.usage,
  logprobs: completion.choices[0].logprobs.tokens.join(''), id: completion._request_id,
};
out.completionStream = await collect(
  await client.completions.create({ ...greedy, prompt, stream: true, stream_options: { include_usage: true } }), (c) => c.text);

const chat = await client.chat.completions.create({ ...greedy, messages, logprobs: true, top_logprobs: 3 });
out.chat = {
  text: chat.choices[0].message.content, role: chat.choices[0].message.role, finish: chat.choices[0].finish_reason, usage: chat.usage,
  likeliest: chat.choices[0].logprobs.content.every((t) => t.top_logprobs.length === 3 && t.top_logprobs[0].token === t.token),
};
out.chatStream = await collect(
  await client.chat.completions.create({ ...greedy, messages, stream: true, stream_options: { include_usage: true } }), (c) => c.delta.content);
out.runner = await client.chat.completions.stream({ ...greedy, messages }).finalContent();

const stop = out.completion.text.slice(10, 14);
const stopped = { ...greedy, prompt, stop: ['never said', stop] };
out.stopped = { stop, text: (await client.completions.create(stopped)).choices[0].text };
out.stoppedStream = await collect(await client.completions.create({ ...stopped, stream: true }), (c) => c.text);

const drawn = { model, prompt, max_tokens, temperature: 1, top_p: 0.9, seed: 42, n: 2 };
const draws = await Promise.all([0, 1].map(() => client.completions.create(drawn)));
out.drawn = draws.map((d) => d.choices.map((c) => c.text));

const many = await Promise.all(Array.from({ length: 12 }, () => client.chat.completions.create({ ...greedy, messages })));
out.many = [...new Set(many.map((c) => c.choices[0].message.content))];

const leaving = await client.chat.completions.create({ ...greedy, messages, stream: true });
for await (const part of leaving) {
  if (part.choices[0].delta.content) break; // which aborts the request
}

out.refusals = {
  model: await refusal(() => client.completions.create({ ...greedy, model: 'gpt-4', prompt })),
  suffix: await refusal(() => client.completions.create({ ...greedy, prompt, suffix: 'end' })),
  tools: await refusal(() => client.chat.completions.create({ ...greedy, messages, tools: [{ type: 'function', function: { name: 'f' } }] })),
  length: await refusal(() => client.completions.create({ ...greedy, prompt, max_tokens: 100000 })),
  key: await refusal(() => new OpenAI({ baseURL, apiKey: 'wrong-wrong-wrong', maxRetries: 0 }).models.list()),
};

console.log(JSON.stringify(out));
