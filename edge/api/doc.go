// Package api is the door for programs: HTTP and JSON in, calls of the services, HTTP and JSON out.
//
// [API.Handle] routes. Every action goes through one generic function, [serve]: credential, then body, then the call,
// then the answer. Refusals are the core's problems; [statuses] is the one table that gives them an HTTP status, and
// anything else is a 500 whose reason stands in the log only.
package api
