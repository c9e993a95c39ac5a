// What a page has and Node has not, for programs that are imported after it.
import { Window } from "happy-dom";

const origin = "http://localhost:3000";
const window = new Window({ url: `${origin}/` });
globalThis.window = window;
globalThis.localStorage = window.localStorage;
globalThis.WebSocket = window.WebSocket;
