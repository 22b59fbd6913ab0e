#!/bin/sh
# Makes the certificates of this folder anew, valid from 2020 to 2120: an authority, two servers that it signed (the
# second to tell a reload by), a client that it signed, and a client that another authority signed. Needs OpenSSL 3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/openssl.cnf" <<END
[ca]
default_ca = test
[test]
new_certs_dir = $work
database = $work/index
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
END
: > "$work/index"

# name, common name, section above, name of the authority
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$work/$1.key" -out "$work/$1.csr"
  openssl ca -batch -notext -config "$work/openssl.cnf" -extensions "$3" -in "$work/$1.csr" -out "$1.pem" \
    -keyfile "$work/$4.key" $([ "$1" = "$4" ] && echo -selfsign || echo -cert "$4.pem") \
    -startdate 20200101000000Z -enddate 21200101000000Z
  [ "$3" = authority ] || cp "$work/$1.key" "$1-key.pem"
}

certificate authority "manywire test authority" authority authority
certificate stranger-authority "manywire test stranger authority" authority stranger-authority
certificate server first.localhost server authority
certificate renewed renewed.localhost server authority
certificate client client.localhost client authority
certificate stranger stranger.localhost client stranger-authority
rm stranger-authority.pem
