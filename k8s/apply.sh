#!/bin/sh
# Install Recado on the cluster that kubectl speaks with, or bring it up to date: the same command does both, as often
# as you like. `k8s/apply.sh --help` says how.
set -eu

usage() {
    cat <<'TEXT'
Usage: k8s/apply.sh [--context NAME] [--dry-run] [--yes] [--timeout SECONDS] OVERLAY
       k8s/apply.sh --secrets-only demo

OVERLAY is `demo`, `production`, or the path of a folder with a kustomization of your own.

  --context NAME      the cluster, by its name in the kubeconfig; else the current one
  --dry-run           ask the server what it would say to all of it, and change nothing
  --yes               do not ask whether this is the cluster you mean
  --timeout SECONDS   how long migrations and each Deployment may take (900)
  --secrets-only      make the demo's secrets, and apply nothing

Order: what everything reads and the stores; the migrations, to their end; then the rest, until it is ready.
TEXT
}

fail() {
    echo "apply.sh: $*" >&2
    exit 1
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
context='' dry_run='' yes='' timeout=900 overlay='' secrets_only=''
while [ $# -gt 0 ]; do
    case $1 in
        --context) context=${2:?--context needs a name}; shift ;;
        --timeout) timeout=${2:?--timeout needs seconds}; shift ;;
        --dry-run) dry_run=yes ;;
        --yes) yes=yes ;;
        --secrets-only) secrets_only=yes ;;
        --help | -h) usage; exit 0 ;;
        -*) usage >&2; fail "there is no option $1" ;;
        *) [ -z "$overlay" ] || fail "one overlay at a time"; overlay=$1 ;;
    esac
    shift
done
[ -n "$overlay" ] || { usage >&2; exit 2; }
case $overlay in
    */*) folder=$overlay ;;
    *) folder=$here/overlays/$overlay ;;
esac
[ -f "$folder/kustomization.yaml" ] || fail "$folder has no kustomization.yaml"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

random() { # so many bytes, as hexadecimal digits
    od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'
}

# Once: the data is read with them as long as it lives.
demo_secrets() {
    target=$folder/secrets
    [ ! -f "$target/recado.env" ] || return 0
    echo "Making the demo's secrets in $target"
    umask 077
    rm -rf "$target.new"
    mkdir "$target.new"
    postgres=$(random 24) valkey=$(random 24)
    key=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')
    echo "POSTGRES_PASSWORD=$postgres" >"$target.new/postgres.env"
    echo "VALKEY_PASSWORD=$valkey" >"$target.new/valkey.env"
    echo "SIMULATORS_APP_SECRET=$(random 16)" >"$target.new/simulators.env"
    cat >"$target.new/recado.env" <<ENV
SECRET_KEY=$(random 40)
ENCRYPTION_KEYS=demo:$key
JWT_SIGNING_KEYS=demo:$(random 40)
VAULT_DIGEST_KEY=$(random 40)
DATABASE_URL=postgres://recado:$postgres@postgres:5432/recado?sslmode=disable
REDIS_URL=redis://:$valkey@valkey:6379/0
FLOWER_BASIC_AUTH=recado:$(random 24)
S3_ACCESS_KEY=recado
S3_SECRET_KEY=$(random 24)
ENV
    rm -rf "$target"
    mv "$target.new" "$target"
}

[ ! -f "$folder/simulators.yaml" ] || demo_secrets
if [ -n "$secrets_only" ]; then
    [ -d "$folder/secrets" ] || fail "only the demo's secrets are made here; base/secrets.yaml is the template of others"
    exit 0
fi

command -v kubectl >/dev/null || fail "kubectl is not installed: https://kubernetes.io/docs/tasks/tools/"
kubectl kustomize "$folder" >"$work/all.yaml" || fail "$folder cannot be rendered"

# What a person has to say is said, before any server is asked.
if grep -n -E 'REPLACE_ME|[./@]example\.com' "$work/all.yaml" >&2; then
    fail "these lines are placeholders: say in $folder what they shall be"
fi
if awk '
    /^---$/ { kind = "" }
    /^kind: / { kind = $2 }
    kind == "Secret" && /^  [A-Za-z0-9_.-]+: / { print $2 }
' "$work/all.yaml" | while read -r word; do echo "$word" | base64 -d 2>/dev/null; echo; done | grep -q REPLACE_ME; then
    fail "a Secret of $folder still says REPLACE_ME"
fi

kubectl() {
    command kubectl ${context:+--context "$context"} "$@"
}

current=${context:-$(command kubectl config current-context 2>/dev/null)} ||
    fail "kubectl knows no cluster: give --context, or set one with kubectl config use-context"
kubectl version >/dev/null 2>&1 || fail "the cluster $current does not answer"
# Each Job is named by its content: the same one is not run again, and a changed one does not change an old one.
documents() { # those of the kinds that match, or with `not` those that do not
    awk -v wanted="$1" -v inverted="${2:-}" '
        function flush() {
            if (text != "" && (kind ~ ("^(" wanted ")$")) != (inverted == "not")) printf "%s---\n", text
            text = ""; kind = ""
        }
        /^---$/ { flush(); next }
        /^kind: / { kind = $2 }
        { text = text $0 "\n" }
        END { flush() }
    ' "$work/all.yaml"
}

names() { # of all of this kind
    documents "$1" | awk '
        /^[^ ]/ { in_metadata = 0 }
        /^metadata:/ { in_metadata = 1 }
        in_metadata && /^  name: / { print $2 }
    '
}

job() { # the one of this name
    documents Job | awk -v name="$1" '
        /^---$/ { if (found) printf "%s", text; text = ""; found = 0; next }
        $0 == "  name: " name { found = 1 }
        { text = text $0 "\n" }
    ' >"$work/job.yaml"
    sum=$(cksum <"$work/job.yaml" | cut -d ' ' -f 1)
    sed "s/^  name: $1\$/  name: $1-$sum/" "$work/job.yaml" >"$work/$1.yaml"
    echo "$1-$sum"
}

# Applied when the migrations have run.
later='Deployment|HorizontalPodAutoscaler|ScaledObject|CronJob|Ingress|PodDisruptionBudget|PodMonitor'
documents "Job|Namespace|$later" not >"$work/first.yaml"
documents Namespace >"$work/namespace.yaml"
documents "$later" >"$work/later.yaml"
jobs=$(names Job)
namespace=$(names Namespace)
[ -n "$namespace" ] || fail "$folder names no Namespace"

if [ -n "$dry_run" ]; then
    echo "Nothing is changed on $current."
    # What lies in a namespace is asked for on the server only where the namespace is there.
    how=server
    kubectl get namespace "$namespace" >/dev/null 2>&1 || how=client
    kubectl apply --dry-run=server --filename "$work/namespace.yaml"
    kubectl apply --dry-run=$how --filename "$work/first.yaml"
    for name in $jobs; do
        job "$name" >/dev/null
        kubectl apply --dry-run=$how --filename "$work/$name.yaml"
    done
    kubectl apply --dry-run=$how --filename "$work/later.yaml"
    exit 0
fi

if [ -z "$yes" ]; then
    printf 'Apply %s to the cluster %s, namespace %s? [y/N] ' "$folder" "$current" "$namespace"
    read -r answer || answer=''
    case $answer in y | Y | yes) ;; *) fail "nothing was changed" ;; esac
fi

run_job() {
    name=$(job "$1")
    echo "Job $name"
    kubectl apply --filename "$work/$1.yaml"
    waited=0
    while [ "$waited" -lt "$timeout" ]; do
        state=$(kubectl --namespace "$namespace" get job "$name" \
            --output 'jsonpath={range .status.conditions[?(@.status=="True")]}{.type} {end}')
        case $state in
            *Complete*) return 0 ;;
            *Failed*)
                kubectl --namespace "$namespace" logs --tail 50 "job/$name" >&2 || true
                # It is not run again under its name; this one is done with.
                kubectl --namespace "$namespace" delete job "$name" --wait=false >/dev/null
                fail "$name failed; what runs was left as it was" ;;
        esac
        sleep 2
        waited=$((waited + 2))
    done
    fail "$name was not done within $timeout s; what runs was left as it was"
}

# A Secret that others bring (by hand, or by an operator) is waited for, and looked at.
check_secrets() {
    wanted=$(awk '
        $1 == "-" && $2 == "secretRef:" || $1 == "secretRef:" || $1 == "secretKeyRef:" { looking = 3 }
        looking > 0 && $1 == "name:" { print $2; looking = 0 }
        { looking-- }
    ' "$work/all.yaml" | sort -u)
    for name in $wanted; do
        waited=0
        until kubectl --namespace "$namespace" get secret "$name" >/dev/null 2>&1; do
            [ "$waited" -lt 60 ] || fail "there is no Secret $name in $namespace: base/secrets.yaml is its template"
            sleep 2
            waited=$((waited + 2))
        done
        # Into a pipe, and never onto a screen or a disk.
        if kubectl --namespace "$namespace" get secret "$name" \
            --output 'go-template={{range .data}}{{. | base64decode}}{{"\n"}}{{end}}' |
            grep -q -E 'REPLACE_ME|[./@]example\.com'; then
            fail "the Secret $name still holds placeholders"
        fi
    done
}

kubectl apply --filename "$work/namespace.yaml"
documents 'Secret|ExternalSecret' >"$work/secrets.yaml"
[ ! -s "$work/secrets.yaml" ] || kubectl apply --filename "$work/secrets.yaml"
check_secrets
kubectl apply --filename "$work/first.yaml"
for name in $(kubectl --namespace "$namespace" get statefulset --selector app.kubernetes.io/part-of=recado --output name); do
    kubectl --namespace "$namespace" rollout status "$name" --timeout "${timeout}s"
done
run_job migrate
# One scaler to a Deployment: the other kind of what comes now goes, should it be there.
for name in $(names ScaledObject); do
    kubectl --namespace "$namespace" delete horizontalpodautoscaler "$name" --ignore-not-found
done
if kubectl get customresourcedefinition scaledobjects.keda.sh >/dev/null 2>&1; then
    for name in $(names HorizontalPodAutoscaler); do
        kubectl --namespace "$namespace" delete scaledobject.keda.sh "$name" --ignore-not-found
    done
fi
kubectl apply --filename "$work/later.yaml"
for name in $jobs; do
    [ "$name" = migrate ] || run_job "$name"
done
for name in $(kubectl --namespace "$namespace" get deployment --selector app.kubernetes.io/part-of=recado --output name); do
    kubectl --namespace "$namespace" rollout status "$name" --timeout "${timeout}s"
done
echo "Recado is up to date on $current."
