// Forwards the mail that mox accepts, because mox itself delivers only to its own mailboxes. mox calls a webhook for each
// message. This program then reads the stored message from mox's web API and sends it, unchanged, to the mail exchanger of
// the recipient's domain.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/smtp"
	"net/textproto"
	"net/url"
	"os"
	"strings"
)

// The fields that this program needs of what mox sends (webhook.Incoming of v0.0.15).
type incoming struct {
	Meta struct {
		MsgID    int64
		MailFrom string
		RcptTo   string
	}
}

// This file has the ids of the forwarded messages, one in each line. After a stop, mox may call the webhook again for a
// message that was forwarded before.
const forwardedIds = "/mox/onward"

func main() {
	log.SetFlags(0)
	log.SetPrefix("onward: ")
	user, err := os.ReadFile("/mox/config/user")
	if err != nil {
		log.Fatal(err)
	}
	name, password, _ := strings.Cut(strings.TrimSpace(string(user)), " ")
	// mox calls the webhook for one message at a time, and calls again unless the answer is a success.
	log.Fatal(http.ListenAndServe("127.0.0.1:8081", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := forward(r.Body, name, password); err != nil {
			log.Print(err)
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})))
}

func forward(hook io.Reader, name, password string) error {
	var in incoming
	if err := json.NewDecoder(hook).Decode(&in); err != nil {
		return err
	}
	if forwarded(in.Meta.MsgID) {
		return nil
	}
	content, err := stored(in.Meta.MsgID, name, password)
	if err != nil {
		return err
	}
	_, domain, _ := strings.Cut(in.Meta.RcptTo, "@")
	exchangers, err := net.LookupMX(domain)
	if err != nil {
		return err
	}
	to := []string{in.Meta.RcptTo}
	err = smtp.SendMail(strings.TrimSuffix(exchangers[0].Host, ".")+":25", nil, in.Meta.MailFrom, to, content)
	var refused *textproto.Error
	if errors.As(err, &refused) && refused.Code >= 500 {
		log.Printf("the mail exchanger refused message %d for %s: %v", in.Meta.MsgID, in.Meta.RcptTo, err)
		return nil
	}
	if err != nil {
		return err
	}
	return remember(in.Meta.MsgID)
}

func forwarded(id int64) bool {
	ids, _ := os.ReadFile(forwardedIds)
	return bytes.Contains(append([]byte("\n"), ids...), fmt.Appendf(nil, "\n%d\n", id))
}

func remember(id int64) error {
	file, err := os.OpenFile(forwardedIds, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = fmt.Fprintf(file, "%d\n", id)
	return err
}

func stored(id int64, name, password string) ([]byte, error) {
	form := url.Values{"request": {fmt.Sprintf(`{"MsgID":%d}`, id)}}.Encode()
	ask, err := http.NewRequest("POST", "http://127.0.0.1:8080/webapi/v0/MessageRawGet", strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask.SetBasicAuth(name, password)
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content := new(bytes.Buffer)
	if _, err := content.ReadFrom(answer.Body); err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("mox answers %s for message %d: %s", answer.Status, id, content)
	}
	return content.Bytes(), nil
}
