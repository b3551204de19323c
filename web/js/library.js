// The worker that downloads models. It is a file of its own because it alone is served
// with a Content-Security-Policy that lets it talk to other servers.
import "./worker.js";
