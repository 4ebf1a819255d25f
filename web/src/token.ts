// The session token in the URL's fragment. This module is imported first, so the token is removed from the URL before any other
// code runs. It is stored only in this variable.

export const token = new URLSearchParams(location.hash.slice(1)).get("token");

if (token) history.replaceState(history.state, "", location.pathname + location.search);
