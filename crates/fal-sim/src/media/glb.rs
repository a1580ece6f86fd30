//! A GLB: a tetrahedron in one colour, four corners, no normals.

use bytes::Bytes;
use serde_json::json;

const MAGIC: &[u8; 4] = b"glTF";
const VERSION: u32 = 2;
const CORNERS: [[f32; 3]; 4] =
    [[1.0, 1.0, 1.0], [-1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], [1.0, -1.0, -1.0]];
const FACES: [[u16; 3]; 4] = [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]];

/// A tetrahedron, coloured by `look`.
pub(crate) fn tetrahedron(look: u32) -> Bytes {
    let mut buffer = Vec::new();
    CORNERS.iter().flatten().for_each(|number| buffer.extend_from_slice(&number.to_le_bytes()));
    let indices_at = buffer.len();
    FACES.iter().flatten().for_each(|index| buffer.extend_from_slice(&index.to_le_bytes()));
    let indices_size = buffer.len() - indices_at;

    let [red, green, blue, _] = look.to_be_bytes().map(|byte| f64::from(byte) / 255.0);
    let scene = json!({
        "asset": { "version": "2.0", "generator": "fal-sim" },
        "scene": 0,
        "scenes": [{ "nodes": [0] }],
        "nodes": [{ "mesh": 0 }],
        "meshes": [{ "primitives": [{
            "attributes": { "POSITION": 0 },
            "indices": 1,
            "material": 0,
        }] }],
        "materials": [{ "pbrMetallicRoughness": { "baseColorFactor": [red, green, blue, 1.0] } }],
        "accessors": [
            // 5126 is FLOAT, 5123 is UNSIGNED_SHORT.
            { "bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3",
              "min": [-1.0, -1.0, -1.0], "max": [1.0, 1.0, 1.0] },
            { "bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR" },
        ],
        "bufferViews": [
            { "buffer": 0, "byteOffset": 0, "byteLength": indices_at },
            { "buffer": 0, "byteOffset": indices_at, "byteLength": indices_size },
        ],
        "buffers": [{ "byteLength": buffer.len() }],
    });
    assemble(scene.to_string().into_bytes(), buffer)
}

/// Header, JSON chunk, binary chunk; each chunk is padded to four bytes.
fn assemble(mut json: Vec<u8>, mut binary: Vec<u8>) -> Bytes {
    json.resize(json.len().next_multiple_of(4), b' ');
    binary.resize(binary.len().next_multiple_of(4), 0);
    let total = 12 + 8 + json.len() + 8 + binary.len();
    let mut file = Vec::with_capacity(total);
    let put = |file: &mut Vec<u8>, number: usize| {
        file.extend_from_slice(&u32::try_from(number).unwrap_or_default().to_le_bytes());
    };
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&VERSION.to_le_bytes());
    put(&mut file, total);
    put(&mut file, json.len());
    file.extend_from_slice(b"JSON");
    file.extend_from_slice(&json);
    put(&mut file, binary.len());
    file.extend_from_slice(b"BIN\0");
    file.extend_from_slice(&binary);
    Bytes::from(file)
}
