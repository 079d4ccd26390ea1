#!/bin/sh
# Whether a demo works: it is ready, takes a message, and the simulated provider reports it delivered.
# smoke.sh <demo.env> [<address of web>]
set -eu

. "$1"
url=${2:-$RECADO_URL}
id=$(curl --fail --silent --show-error --retry 30 --retry-delay 2 --retry-all-errors "$url/readyz" >&2 &&
  curl --fail --silent --show-error "$url/v1/messages" \
    --header "Authorization: Api-Key $RECADO_API_KEY" --header "Content-Type: application/json" \
    --data '{"account_id": "'"$RECADO_ACCOUNT_SMS"'", "to": "+5511912340009", "text": "Smoke test"}' |
  sed 's/^{"id": *"\([^"]*\)".*/\1/')

for _ in $(seq 60); do
  answer=$(curl --fail --silent --show-error "$url/v1/messages/$id" --header "Authorization: Api-Key $RECADO_API_KEY")
  case "$answer" in
    *'"status":"delivered"'* | *'"status":"read"'*) echo "delivered: $id"; exit 0 ;;
    *'"status":"failed"'*) break ;;
  esac
  sleep 1
done
echo "not delivered: $answer" >&2
exit 1
