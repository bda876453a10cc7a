import { Connection } from "./connection.ts";

/** The stream of a WebSocket that speaks MQTT. */
export function overWebSocket(
  socket: WebSocket,
  onRefused: (reason: string) => void,
): Connection {
  socket.binaryType = "arraybuffer";
  const connection = new Connection({
    get unread() {
      return socket.bufferedAmount;
    },
    send: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes);
    },
    // A WebSocket can't be held back; PacketGate bounds what one packet may take.
    resume: () => {},
    close: () => socket.close(),
  }, onRefused);
  socket.onmessage = ({ data }) => {
    // MQTT 3.1.1, 6: text is no MQTT.
    if (data instanceof ArrayBuffer) connection.receive(new Uint8Array(data));
    else connection.destroy();
  };
  socket.onclose = () => connection.destroy();
  socket.onerror = () => connection.destroy();
  return connection;
}
