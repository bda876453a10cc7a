/** The headers with which a client asks for MQTT over WebSocket (RFC 6455, 4.1). */
export const MQTT_HANDSHAKE = {
  "Connection": "Upgrade",
  "Upgrade": "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
  "Sec-WebSocket-Protocol": "mqtt",
};
