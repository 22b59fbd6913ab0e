#!/bin/sh
# Makes the certificates of this folder anew, valid from 2020 to 2120: an authority, two servers that it signed (the
# second to tell a reload by), a client that it signed, and a client that another authority signed; and an authority with
# clients that have alternative names, some of which look like those of others. Needs OpenSSL 3.
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
[orders]
extendedKeyUsage = clientAuth
subjectAltName = URI:spiffe://prod.test/ns/shop/orders, DNS:orders.prod.test
[person]
extendedKeyUsage = clientAuth
subjectAltName = email:alice@prod.test
[hostile]
extendedKeyUsage = clientAuth
subjectAltName = @hostile_names
[hostile_names]
URI.1 = spiffe://prod.test/ns/evil, URI:spiffe://prod.test/ns/shop/orders
URI.2 = spiffe://prod.test/ns/shop/../evil
DNS.1 = evil.test, DNS:orders.prod.test
DNS.2 = *.prod.test
email.1 = "evil\\", email:alice@prod.test
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
certificate clients-authority "manywire test clients" authority clients-authority
certificate orders orders orders clients-authority
certificate person person person clients-authority
certificate hostile orders.prod.test hostile clients-authority
certificate nameless orders.prod.test client clients-authority
rm stranger-authority.pem
