package planfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxDirectoryBytes is the limit for the list of a planfile's entries, with their names.
const maxDirectoryBytes = 64 << 20

var errDirectory = errors.New("it is damaged: its list of entries is not where its end says, or not as long")

// checkDirectory checks how many entries a zip file has before memory is allocated for them:
// zip.NewReader reads all entries that it finds, however many the file says there are. A file
// without an end record passes: zip.NewReader refuses it.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 to 4.3.16
func checkDirectory(r io.ReaderAt, size int64) error {
	const endBytes, mostComment, locatorBytes, end64Bytes = 22, 1<<16 - 1, 20, 56
	tail := make([]byte, min(size, endBytes+mostComment))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	for at >= 0 && (at+endBytes > len(tail) || at+endBytes+int(binary.LittleEndian.Uint16(tail[at+20:])) > len(tail)) {
		at = bytes.LastIndex(tail[:at], []byte("PK\x05\x06"))
	}
	if at < 0 {
		return nil
	}
	end := tail[at:]
	count := uint64(binary.LittleEndian.Uint16(end[10:]))
	length := uint64(binary.LittleEndian.Uint32(end[12:]))
	begin := uint64(binary.LittleEndian.Uint32(end[16:]))
	directoryEnd := uint64(size - int64(len(tail)) + int64(at))
	if count == 1<<16-1 || length == 1<<32-1 || begin == 1<<32-1 { // zip64
		locator, whole := make([]byte, locatorBytes), make([]byte, end64Bytes)
		if directoryEnd < locatorBytes {
			return errDirectory
		}
		if _, err := r.ReadAt(locator, int64(directoryEnd)-locatorBytes); err != nil {
			return err
		}
		if bytes.HasPrefix(locator, []byte("PK\x06\x07")) {
			directoryEnd = binary.LittleEndian.Uint64(locator[8:])
			if directoryEnd > uint64(size) {
				return errDirectory
			}
			if _, err := r.ReadAt(whole, int64(directoryEnd)); err != nil || !bytes.HasPrefix(whole, []byte("PK\x06\x06")) {
				return errDirectory
			}
			count = binary.LittleEndian.Uint64(whole[32:])
			length = binary.LittleEndian.Uint64(whole[40:])
			begin = binary.LittleEndian.Uint64(whole[48:])
		}
	}
	switch {
	case count > maxPlanfileEntries:
		return fmt.Errorf("it has %d entries, more than %d", count, maxPlanfileEntries)
	case length > maxDirectoryBytes:
		return fmt.Errorf("the list of its entries has %d bytes, more than %d", length, maxDirectoryBytes)
	case begin > directoryEnd || directoryEnd-begin != length:
		return errDirectory
	}
	// The count may be a lie, so count what is there, without keeping it.
	entries := bufio.NewReader(io.NewSectionReader(r, int64(begin), int64(length)))
	head := make([]byte, 46)
	for found, left := uint64(0), length; left > 0; found++ {
		if found == count {
			return errDirectory
		}
		if _, err := io.ReadFull(entries, head); err != nil || !bytes.HasPrefix(head, []byte("PK\x01\x02")) {
			return errDirectory
		}
		rest := uint64(binary.LittleEndian.Uint16(head[28:])) + uint64(binary.LittleEndian.Uint16(head[30:])) + uint64(binary.LittleEndian.Uint16(head[32:]))
		if rest+uint64(len(head)) > left {
			return errDirectory
		}
		if _, err := entries.Discard(int(rest)); err != nil {
			return errDirectory
		}
		left -= rest + uint64(len(head))
	}
	return nil
}
