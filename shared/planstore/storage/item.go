package storage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Item is a stored item: its attributes by name, with pk and sk. A value is a string, a
// [json.Number], a bool, nil, a list ([]any) or a map (map[string]any) of such values. An item
// that can't be read has only its keys.
type Item map[string]any

// Key is the item's key.
func (i Item) Key() Key { return Key{i.text("pk"), i.text("sk")} }

func (i Item) text(name string) string {
	s, _ := i[name].(string)
	return s
}

// Encode makes an item from a struct, whose JSON names are the attributes. U+FFFD replaces text
// that is not UTF-8, which no backend can store.
func Encode(from any) (Item, error) {
	object, err := json.Marshal(from)
	if err != nil {
		return nil, err
	}
	return Parse(object)
}

// Parse reads an item from a JSON object. Numbers keep all their digits.
func Parse(object []byte) (item Item, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if err := d.Decode(&item); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("there is more than one JSON value")
	}
	return item, nil
}

// Decode reads an item into a struct, the inverse of [Encode]. It ignores attributes that the
// struct does not have.
func (i Item) Decode(into any) error {
	object, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return json.Unmarshal(object, into)
}

// Number is a number as items have it.
func Number[T int | uint64](n T) json.Number { return json.Number(fmt.Sprint(n)) }

// timeLayout is how items hold times: UTC, all of the same length, so that they sort as text.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// FormatTime is a time as items hold it; empty for the zero time.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

// ParseTimes reads several times, the inverse of [FormatTime].
func ParseTimes(texts map[*time.Time]string) (err error) {
	for to, text := range texts {
		if text == "" {
			continue
		}
		if *to, err = time.Parse(timeLayout, text); err != nil {
			return err
		}
	}
	return nil
}
