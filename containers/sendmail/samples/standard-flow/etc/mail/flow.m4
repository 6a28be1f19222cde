define(`confDOMAIN_NAME', `mx.gateway.test')dnl
define(`confAUTH_REALM', `gateway.test')dnl
define(`confAUTH_OPTIONS', `p')dnl
define(`confCIPHER_LIST', `ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:AES256-GCM-SHA384:AES128-GCM-SHA256')dnl
define(`confSERVER_SSL_OPTIONS', `+SSL_OP_NO_SSLv2 +SSL_OP_NO_SSLv3 +SSL_OP_NO_TLSv1 +SSL_OP_NO_TLSv1_1 +SSL_OP_CIPHER_SERVER_PREFERENCE')dnl
define(`confCLIENT_SSL_OPTIONS', `+SSL_OP_NO_SSLv2 +SSL_OP_NO_SSLv3 +SSL_OP_NO_TLSv1 +SSL_OP_NO_TLSv1_1 +SSL_OP_CIPHER_SERVER_PREFERENCE')dnl
define(`confSERVER_CERT', `/etc/mail/tls/chain.pem')dnl
define(`confSERVER_KEY', `/etc/mail/tls/key.pem')dnl
define(`confCLIENT_CERT', `/etc/mail/tls/chain.pem')dnl
define(`confCLIENT_KEY', `/etc/mail/tls/key.pem')dnl
define(`confCACERT', `/etc/mail/tls/authorities.pem')dnl
RELAY_DOMAIN(`gateway.test')dnl
DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=0.0.0.0, Port=25, M=A')dnl
DAEMON_OPTIONS(`Name=MSA, Family=inet, Addr=0.0.0.0, Port=587')dnl
DAEMON_OPTIONS(`Name=TLSMSA, Family=inet, Addr=0.0.0.0, Port=465, M=s')dnl
