package storage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Item is what is stored under one key: its attributes by name, pk and sk among them. A
// value is a string, a [json.Number], a bool, nil, or a list ([]any) or map
// (map[string]any) of these. An item that can't be read has no attributes but its keys.
type Item map[string]any

// Key is what the item is stored under.
func (i Item) Key() Key { return Key{i.text("pk"), i.text("sk")} }

func (i Item) text(name string) string {
	s, _ := i[name].(string)
	return s
}

// Encode makes an item of a struct, whose JSON names are the attributes. Text that is not
// UTF-8, which no backend can hold, has U+FFFD in its place.
func Encode(from any) (Item, error) {
	object, err := json.Marshal(from)
	if err != nil {
		return nil, err
	}
	return Parse(object)
}

// Parse reads an item from a JSON object. Its numbers stay as they are written.
func Parse(object []byte) (item Item, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if err := d.Decode(&item); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("there is more than one JSON value")
	}
	return item, nil
}

// Decode is the inverse of [Encode]. An attribute that the struct does not have is left out.
func (i Item) Decode(into any) error {
	object, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return json.Unmarshal(object, into)
}

// Number is a number as items have it.
func Number[T int | uint64](n T) json.Number { return json.Number(fmt.Sprint(n)) }

// timeLayout is how items hold times: always UTC and equally long, so that they sort as
// text.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// FormatTime is a time as items hold it; the zero time is empty.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

// ParseTimes is the inverse of [FormatTime], for several times.
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
