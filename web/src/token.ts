// The merchant's token for the buyer, which comes behind the # of the address. This module is imported before all others:
// whatever they do or fail to do, the token is out of the address by then. It is kept in this variable and nowhere else.

export const token = new URLSearchParams(location.hash.slice(1)).get("token");

if (token) history.replaceState(history.state, "", location.pathname + location.search);
