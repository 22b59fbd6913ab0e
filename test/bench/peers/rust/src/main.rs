//! tonic with the services of the benchmark, set up as its documentation shows, on one thread:
//!
//!     bench [--cert FILE --key FILE] [--interceptors]
//!
//! It prints its port and serves until standard input ends.
mod identify;
mod service;

use std::error::Error;

use hello_world::greeter_server::GreeterServer;
use manywire::bench::v1::bench_service_server::BenchServiceServer;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Status};

mod hello_world {
    tonic::include_proto!("hello_world");
}

mod manywire {
    pub mod bench {
        pub mod v1 {
            tonic::include_proto!("manywire.bench.v1");
        }
    }
    pub mod test {
        pub mod codec {
            pub mod v1 {
                tonic::include_proto!("manywire.test.codec.v1");
            }
        }
    }
}

/// As large as the messages of the benchmark, and larger than the default.
const MOST_BYTES: usize = 16 * 1024 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1)
    };
    let mut server = Server::builder();
    if let (Some(cert), Some(key)) = (after("--cert"), after("--key")) {
        let identity = Identity::from_pem(std::fs::read(cert)?, std::fs::read(key)?);
        server = server.tls_config(ServerTlsConfig::new().identity(identity))?;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let bench = BenchServiceServer::new(service::Bench).max_decoding_message_size(MOST_BYTES);
    if arguments
        .iter()
        .any(|argument| argument == "--interceptors")
    {
        server
            .layer(tower_layer::layer_fn(identify::Identify::new))
            .add_service(GreeterServer::with_interceptor(service::Greet, authorize))
            .add_service(bench)
            .serve_with_incoming_shutdown(incoming, end_of_input())
            .await?;
    } else {
        server
            .add_service(GreeterServer::new(service::Greet))
            .add_service(bench)
            .serve_with_incoming_shutdown(incoming, end_of_input())
            .await?;
    }
    Ok(())
}

async fn end_of_input() {
    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
}

/// Lets in who has the token.
fn authorize(request: Request<()>) -> Result<Request<()>, Status> {
    match request.metadata().get("authorization") {
        Some(value) if value == "Bearer bench" => Ok(request),
        _ => Err(Status::unauthenticated(
            "expected the token of the benchmark",
        )),
    }
}
