// The worker that downloads models. It is a separate file because it is the only one that is
// served with a Content-Security-Policy that lets it talk to other servers.
import "./worker.js";
