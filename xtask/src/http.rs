//! A small HTTP/1.1 client for loopback, enough for setting up a server, crashing it and measuring it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// One connection that is used again and again.
pub(crate) struct Connection {
    host: String,
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn open(addr: SocketAddr) -> Result<Connection, String> {
        let limit = Duration::from_secs(10);
        let stream = TcpStream::connect_timeout(&addr, limit).map_err(|e| format!("{addr}: {e}"))?;
        let set = stream.set_read_timeout(Some(limit)).and_then(|()| stream.set_nodelay(true));
        set.map_err(|e| format!("{addr}: {e}"))?;
        Ok(Connection { host: addr.to_string(), stream: BufReader::new(stream) })
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, String> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        let sent = self.stream.get_mut().write_all(request.as_bytes());
        sent.and_then(|()| read_answer(&mut self.stream)).map_err(|e| format!("{method} {path}: {e}"))
    }
}

/// One request on a connection of its own.
pub(crate) fn send(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer, String> {
    Connection::open(addr)?.send(method, path, headers, body)
}

fn read_answer(stream: &mut impl BufRead) -> std::io::Result<Answer> {
    let strange = || std::io::Error::other("the answer is no HTTP");
    let status = line(stream)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(strange)?;
    let (mut length, mut chunked) = (0, false);
    loop {
        let header = line(stream)?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').ok_or_else(strange)?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(|_| strange())?,
            "transfer-encoding" => chunked = value.trim().eq_ignore_ascii_case("chunked"),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let size = usize::from_str_radix(line(stream)?.trim(), 16).map_err(|_| strange())?;
            take(stream, size, &mut body)?;
            line(stream)?;
            if size == 0 {
                break;
            }
        }
    } else {
        take(stream, length, &mut body)?;
    }
    Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
}

fn line(stream: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line)? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}

fn take(stream: &mut impl BufRead, size: usize, body: &mut Vec<u8>) -> std::io::Result<()> {
    let got = stream.take(size as u64).read_to_end(body)?;
    if got == size { Ok(()) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}

/// The value of a key of a JSON object whose values are plain tokens and ids: no escapes, no objects inside before it.
pub(crate) fn json_string(json: &str, key: &str) -> Option<String> {
    let (_, after) = json.split_once(&format!("\"{key}\""))?;
    let after = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    after.split_once('"').map(|(value, _)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_with_a_length_and_in_chunks_are_read() {
        let mut plain = &b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nokrest"[..];
        let answer = read_answer(&mut plain).unwrap();
        assert_eq!((answer.status, answer.body.as_str(), plain), (201, "ok", &b"rest"[..]));
        let mut chunks =
            &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"[..];
        assert_eq!(read_answer(&mut chunks).unwrap().body, "abcde");
        assert!(chunks.is_empty());
        assert!(read_answer(&mut &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"[..]).is_err());
    }

    #[test]
    fn a_value_is_found() {
        assert_eq!(json_string("{\"id\":\"u\", \"key\" : \"k_1\"}", "key"), Some("k_1".to_owned()));
        assert_eq!(json_string("{\"key\":null}", "key"), None);
    }
}
