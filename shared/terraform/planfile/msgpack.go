package planfile

import (
	"encoding/binary"
	"errors"

	"github.com/zclconf/go-cty/cty"
	ctymsgpack "github.com/zclconf/go-cty/cty/msgpack"
)

// maxNesting is how deep a value in a planfile may be nested. The decoder recurses.
const maxNesting = 200

// decodeDynamic decodes a value that has its type with it, as root variables have.
func decodeDynamic(b []byte) (cty.Value, error) {
	if err := checkMsgpack(b); err != nil {
		return cty.NilVal, err
	}
	return ctymsgpack.Unmarshal(b, cty.DynamicPseudoType)
}

// decodeImplied decodes a value without a type, as backend settings are: JSON's types are
// used.
func decodeImplied(b []byte) (cty.Value, error) {
	if err := checkMsgpack(b); err != nil {
		return cty.NilVal, err
	}
	ty, err := ctymsgpack.ImpliedType(b)
	if err != nil {
		return cty.NilVal, err
	}
	return ctymsgpack.Unmarshal(b, ty)
}

var errMsgpack = errors.New("it is damaged: a value can't be read")

// checkMsgpack refuses bytes that are not exactly one msgpack value, and values that are
// nested deeper than maxNesting. Types, which are written in JSON, count, too. It does not
// recurse.
// https://github.com/msgpack/msgpack/blob/master/spec.md
func checkMsgpack(b []byte) error {
	left := []uint64{1} // how many values are still to come, by depth
	for len(left) > 0 {
		if left[len(left)-1] == 0 {
			left = left[:len(left)-1]
			continue
		}
		left[len(left)-1]--
		length, members, n, ok := msgpackHead(b)
		if !ok || length > uint64(len(b)-n) {
			return errMsgpack
		}
		if depth := jsonDepth(b[n : n+int(length)]); depth > maxNesting {
			return errMsgpack
		}
		b = b[n+int(length):]
		// Each member takes at least one byte.
		if members > uint64(len(b)) || members > 0 && len(left) > maxNesting {
			return errMsgpack
		}
		left = append(left, members)
	}
	if len(b) > 0 {
		return errMsgpack
	}
	return nil
}

// msgpackHead reads the first n bytes of a value, which say how many bytes and how many
// values follow.
func msgpackHead(b []byte) (length, members uint64, n int, ok bool) {
	if len(b) == 0 {
		return 0, 0, 0, false
	}
	size := func(bytes int) uint64 {
		if ok = len(b) > bytes; !ok {
			return 0
		}
		n = 1 + bytes
		var whole [8]byte
		copy(whole[8-bytes:], b[1:n])
		return binary.BigEndian.Uint64(whole[:])
	}
	n, ok = 1, true
	switch c := b[0]; {
	case c <= 0x7f, c >= 0xe0, c == 0xc0, c == 0xc2, c == 0xc3: // small numbers, nil, false, true
	case c <= 0x8f:
		members = 2 * uint64(c&0x0f)
	case c <= 0x9f:
		members = uint64(c & 0x0f)
	case c <= 0xbf:
		length = uint64(c & 0x1f)
	case c >= 0xc4 && c <= 0xc6: // bytes
		length = size(1 << (c - 0xc4))
	case c >= 0xc7 && c <= 0xc9: // extensions: their type is a byte more
		length = size(1<<(c-0xc7)) + 1
	case c == 0xca, c == 0xce, c == 0xd2:
		length = 4
	case c == 0xcb, c == 0xcf, c == 0xd3:
		length = 8
	case c == 0xcc, c == 0xd0:
		length = 1
	case c == 0xcd, c == 0xd1:
		length = 2
	case c >= 0xd4 && c <= 0xd8:
		length = 1<<(c-0xd4) + 1
	case c >= 0xd9 && c <= 0xdb: // text
		length = size(1 << (c - 0xd9))
	case c == 0xdc, c == 0xdd:
		members = size(2 << (c - 0xdc))
	case c == 0xde, c == 0xdf:
		members = 2 * size(2<<(c-0xde))
	default:
		ok = false
	}
	return length, members, n, ok
}

// jsonDepth is how deep brackets are nested in b, if b is JSON.
func jsonDepth(b []byte) (most int) {
	if len(b) == 0 || b[0] != '[' {
		return 0
	}
	depth := 0
	for _, c := range b {
		switch c {
		case '[', '{':
			depth++
			most = max(most, depth)
		case ']', '}':
			depth--
		}
	}
	return most
}
