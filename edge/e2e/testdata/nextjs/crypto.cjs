// Stands for Node's crypto in the browser. @waffo/pancake-ts imports it for requests and webhooks, which only the server has.
