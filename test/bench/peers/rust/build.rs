//! Makes the code of the services from the descriptor sets that the variable DESCRIPTORS names, divided by colons.
use prost::Message;
use prost_types::FileDescriptorSet;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-env-changed=DESCRIPTORS");
    for path in std::env::var("DESCRIPTORS")?.split(':') {
        println!("cargo:rerun-if-changed={path}");
        let set = FileDescriptorSet::decode(std::fs::read(path)?.as_slice())?;
        tonic_prost_build::configure()
            .build_client(false)
            .compile_fds(set)?;
    }
    Ok(())
}
