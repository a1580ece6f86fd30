//! What the process uses, as Linux tells it in `/proc`; nothing elsewhere.

use std::fs;

/// The unit of the times in `/proc/self/stat` (`USER_HZ`), the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Resident memory, bytes.
pub(super) fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    kib.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Processor time of all threads, seconds: user, system.
pub(super) fn cpu_time() -> Option<(f64, f64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<u32>);
    let mut seconds = || Some(f64::from(times.next()?.ok()?) / TICKS_PER_SECOND);
    Some((seconds()?, seconds()?))
}

/// Open file descriptors.
pub(super) fn file_descriptors() -> Option<u64> {
    fs::read_dir("/proc/self/fd").ok()?.count().try_into().ok()
}
