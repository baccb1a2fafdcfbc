//! What is asked of the provider, and what is believed of its answers.

use std::collections::BTreeMap;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse,
    CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthType, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, CsrfToken, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    StandardErrorResponse, StandardTokenResponse, SubjectIdentifier, UserInfoClaims, UserInfoError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Fault;
use super::client::{Client, Unanswered};
use crate::access::{Provider, is_private};

/// What the provider says of itself, with its keys.
pub(super) type Metadata = CoreProviderMetadata;

/// What it answers to a code.
pub(super) type Tokens = StandardTokenResponse<
    IdTokenFields<
        Others,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type Relying = openidconnect::Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Claims that no standard names.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Others(BTreeMap<String, Value>);

impl AdditionalClaims for Others {}

/// What may sign a token: keys of which only the provider has the secret half.
const SIGNED_BY: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a browser is sent to the provider with.
pub(super) struct Asked {
    pub(super) url: String,
    pub(super) state: CsrfToken,
    pub(super) nonce: Nonce,
    pub(super) verifier: PkceCodeVerifier,
}

/// Why a token is not believed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unverified {
    #[error("there is no ID token")]
    Missing,
    #[error("no key of the provider's is that of the ID token")]
    NoKey,
    #[error("the ID token: {0}")]
    Refused(ClaimsVerificationError),
    #[error("the signature of the ID token: {0}")]
    Forged(SignatureVerificationError),
    #[error("the claims cannot be read")]
    Unreadable,
}

/// What is said of somebody, and is believed.
#[derive(Debug)]
pub(super) struct Claims {
    subject: SubjectIdentifier,
    all: Value,
}

impl Claims {
    /// The value of a claim; of an address only if the provider has seen that it is this person's.
    pub(super) fn value(&self, claim: &str) -> Option<String> {
        if claim == "email" && self.all["email_verified"] != true {
            return None;
        }
        self.all[claim].as_str().filter(|value| !value.is_empty()).map(str::to_owned)
    }
}

/// Asks for what the provider says of itself.
pub(super) fn describe(provider: &Provider, client: &Client) -> Result<Metadata, Fault> {
    let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|error| Fault::wrong(&error.to_string()))?;
    let metadata = Metadata::discover(&issuer, client).map_err(|error| match error {
        DiscoveryError::Request(error) => unanswered(&error),
        DiscoveryError::Response(status, ..) if status.is_server_error() => {
            Fault::away(&format!("its description has the status {status}"))
        }
        DiscoveryError::Response(status, ..) => {
            Fault::wrong(&format!("its description has the status {status}"))
        }
        other => Fault::wrong(&format!("its description: {other}")),
    })?;
    if !is_private(metadata.authorization_endpoint().as_str()) {
        return Err(Fault::wrong("people would be sent to a page that is not https"));
    }
    Ok(metadata)
}

/// Where a browser is sent, and what must come back.
pub(super) fn ask(provider: &Provider, metadata: &Metadata) -> Result<Asked, Fault> {
    let relying = relying(provider, metadata)?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
    let scopes = provider.scopes.iter().cloned().map(Scope::new);
    let request = relying.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
    let (url, state, nonce) = request.add_scopes(scopes).set_pkce_challenge(challenge).url();
    Ok(Asked { url: url.into(), state, nonce, verifier })
}

/// Gives a code for tokens.
pub(super) fn exchange(
    provider: &Provider,
    metadata: &Metadata,
    client: &Client,
    code: String,
    verifier: PkceCodeVerifier,
) -> Result<Tokens, Fault> {
    let relying = relying(provider, metadata)?;
    let request = relying.exchange_code(AuthorizationCode::new(code));
    let request = request.map_err(|error| Fault::wrong(&error.to_string()))?;
    request.set_pkce_verifier(verifier).request(client).map_err(|error| match error {
        RequestTokenError::Request(error) => unanswered(&error),
        RequestTokenError::ServerResponse(said) => {
            let more = said.error_description().map_or(String::new(), |words| format!(": {words}"));
            Fault::wrong(&format!("it gives no token: {}{more}", said.error()))
        }
        // What is in it is nobody's business, and may be a secret.
        RequestTokenError::Parse(..) => Fault::wrong("its tokens cannot be read"),
        RequestTokenError::Other(why) => Fault::wrong(&why),
    })
}

/// What the ID token says, if it is the provider's, for us, of now, and of this sign-in.
pub(super) fn verify(
    provider: &Provider,
    metadata: &Metadata,
    tokens: &Tokens,
    nonce: &Nonce,
) -> Result<Claims, Unverified> {
    let relying = relying(provider, metadata).map_err(|_| Unverified::Unreadable)?;
    let token = tokens.extra_fields().id_token().ok_or(Unverified::Missing)?;
    let verifier = relying.id_token_verifier().set_allowed_algs(SIGNED_BY);
    let claims: &IdTokenClaims<Others, CoreGenderClaim> =
        token.claims(&verifier, nonce).map_err(|error| match error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                Unverified::NoKey
            }
            ClaimsVerificationError::SignatureVerification(error) => Unverified::Forged(error),
            error => Unverified::Refused(error),
        })?;
    let all = serde_json::to_value(claims).map_err(|_| Unverified::Unreadable)?;
    Ok(Claims { subject: claims.subject().clone(), all })
}

/// What the provider says of the same person besides, where it does so.
pub(super) fn more(
    provider: &Provider,
    metadata: &Metadata,
    client: &Client,
    tokens: &Tokens,
    claims: Claims,
) -> Result<Claims, Fault> {
    if metadata.userinfo_endpoint().is_none() {
        return Ok(claims);
    }
    let relying = relying(provider, metadata)?;
    let request = relying.user_info(tokens.access_token().clone(), Some(claims.subject.clone()));
    let request = request.map_err(|error| Fault::wrong(&error.to_string()))?;
    let said: UserInfoClaims<Others, CoreGenderClaim> =
        request.request(client).map_err(|error| match error {
            UserInfoError::Request(error) => unanswered(&error),
            UserInfoError::Response(status, ..) => {
                Fault::wrong(&format!("its user information has the status {status}"))
            }
            UserInfoError::ClaimsVerification(error) => {
                Fault::wrong(&format!("its user information: {error}"))
            }
            _ => Fault::wrong("its user information cannot be read"),
        })?;
    let all = serde_json::to_value(&said).map_err(|_| Fault::wrong("its user information cannot be read"))?;
    Ok(Claims { all, ..claims })
}

fn relying(provider: &Provider, metadata: &Metadata) -> Result<Relying, Fault> {
    let redirect = RedirectUrl::new(provider.redirect.clone());
    let redirect = redirect.map_err(|error| Fault::wrong(&error.to_string()))?;
    let secret = ClientSecret::new(provider.secret.0.clone());
    let client = ClientId::new(provider.client.clone());
    let relying = Relying::from_provider_metadata(metadata.clone(), client, Some(secret));
    let methods = metadata.token_endpoint_auth_methods_supported();
    let only_in_body = methods.is_some_and(|methods| {
        !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
            && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
    });
    let relying = if only_in_body { relying.set_auth_type(AuthType::RequestBody) } else { relying };
    Ok(relying.set_redirect_uri(redirect))
}

fn unanswered(error: &Unanswered) -> Fault {
    Fault::away(&error.to_string())
}
