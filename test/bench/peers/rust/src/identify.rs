//! Gives the request's id back. An interceptor of tonic sees only the request, so this is a layer around the service.
use std::pin::Pin;
use std::task::{Context, Poll};

use tonic::codegen::http::{HeaderValue, Request, Response};
use tower_service::Service;

#[derive(Clone)]
pub struct Identify<S> {
    inner: S,
}

impl<S> Identify<S> {
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, I, O> Service<Request<I>> for Identify<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<I>) -> Self::Future {
        let found = request.headers().get("x-request-id").cloned();
        let id = found.unwrap_or(HeaderValue::from_static("none"));
        let response = self.inner.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            response.headers_mut().insert("x-request-id", id);
            Ok(response)
        })
    }
}
