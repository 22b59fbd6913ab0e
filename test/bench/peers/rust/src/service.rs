//! The services.
use std::pin::Pin;

use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::hello_world::greeter_server::Greeter;
use crate::hello_world::{HelloReply, HelloRequest};
use crate::manywire::bench::v1::bench_service_server::BenchService;
use crate::manywire::bench::v1::{Blob, Count, Note};
use crate::manywire::test::codec::v1::Shelf;

pub struct Greet;

#[tonic::async_trait]
impl Greeter for Greet {
    async fn say_hello(
        &self,
        request: Request<HelloRequest>,
    ) -> Result<Response<HelloReply>, Status> {
        let message = format!("Hello, {}!", request.into_inner().name);
        Ok(Response::new(HelloReply { message }))
    }

    async fn say_hello_again(
        &self,
        request: Request<HelloRequest>,
    ) -> Result<Response<HelloReply>, Status> {
        let message = format!("Hello, {} Again!", request.into_inner().name);
        Ok(Response::new(HelloReply { message }))
    }
}

pub struct Bench;

type Notes = Pin<Box<dyn Stream<Item = Result<Note, Status>> + Send>>;

#[tonic::async_trait]
impl BenchService for Bench {
    type DownloadStream = Notes;
    type PingPongStream = Notes;

    async fn echo(&self, request: Request<Blob>) -> Result<Response<Blob>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn echo_shelf(&self, request: Request<Shelf>) -> Result<Response<Shelf>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn download(&self, request: Request<Count>) -> Result<Response<Notes>, Status> {
        let notes = (1..=request.into_inner().number).map(|index| {
            Ok(Note {
                text: "a small message".into(),
                index,
            })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(notes))))
    }

    async fn upload(&self, request: Request<Streaming<Note>>) -> Result<Response<Count>, Status> {
        let mut notes = request.into_inner();
        let mut number = 0;
        while notes.message().await?.is_some() {
            number += 1;
        }
        Ok(Response::new(Count { number }))
    }

    async fn ping_pong(
        &self,
        request: Request<Streaming<Note>>,
    ) -> Result<Response<Notes>, Status> {
        let notes = request
            .into_inner()
            .map(|note| note.map(|Note { text, index }| Note { text, index }));
        Ok(Response::new(Box::pin(notes)))
    }
}
