//! A PNG: diagonal stripes of two colours, sixteen shades, one byte a pixel.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::Crc;
use flate2::write::ZlibEncoder;

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];
const SHADES: u8 = 16;

/// A picture of this size, coloured by `look`.
pub(crate) fn picture(width: u32, height: u32, look: u32) -> Bytes {
    let mut file = Vec::with_capacity(4096);
    file.extend_from_slice(&SIGNATURE);
    let mut header = Vec::with_capacity(13);
    header.extend_from_slice(&width.to_be_bytes());
    header.extend_from_slice(&height.to_be_bytes());
    // Eight bits a pixel, palette colours, the only compression and filter method, not interlaced.
    header.extend_from_slice(&[8, 3, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"PLTE", &palette(look));
    chunk(&mut file, *b"IDAT", &pixels(width, height));
    chunk(&mut file, *b"IEND", &[]);
    Bytes::from(file)
}

fn palette(look: u32) -> Vec<u8> {
    let [red, green, blue, _] = look.to_be_bytes();
    (0..SHADES)
        .flat_map(|shade| {
            let mix = |from: u8| {
                let to = 255 - from;
                let (from, to, shade) = (u16::from(from), u16::from(to), u16::from(shade));
                let top = u16::from(SHADES - 1);
                u8::try_from((from * (top - shade) + to * shade) / top).unwrap_or(u8::MAX)
            };
            [mix(red), mix(green), mix(blue)]
        })
        .collect()
}

/// The rows, each after its filter byte, compressed.
fn pixels(width: u32, height: u32) -> Vec<u8> {
    let stripe = (width.max(height) / u32::from(SHADES)).max(1);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let mut row = Vec::with_capacity(width as usize + 1);
    for y in 0..height {
        row.clear();
        row.push(0);
        row.extend(
            (0..width)
                .map(|x| u8::try_from((x + y) / stripe % u32::from(SHADES)).unwrap_or_default()),
        );
        // Writing to memory does not fail.
        if encoder.write_all(&row).is_err() {
            break;
        }
    }
    encoder.finish().unwrap_or_default()
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or_default();
    let mut crc = Crc::new();
    crc.update(&name);
    crc.update(data);
    file.extend_from_slice(&length.to_be_bytes());
    file.extend_from_slice(&name);
    file.extend_from_slice(data);
    file.extend_from_slice(&crc.sum().to_be_bytes());
}
