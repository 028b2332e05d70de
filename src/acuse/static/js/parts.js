// Pieces of pages, asked of the server as it writes them; it has escaped what is in them.

/** The text of an address, or null where it could not be had. `signal` gives up early. */
export async function fetchPart(address, signal) {
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, signal });
    return answer.ok && !answer.redirected ? await answer.text() : null;
  } catch {
    return null;
  }
}

/** Call a function a while after the last time that it was asked for. */
export function afterwards(wait, act) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), wait);
  };
}
