import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Serves the services of a descriptor set, whose file is the argument, by grpc-java with reflection. Methods return their
 * requests. Prints its port and serves until standard input ends.
 */
public final class Reflected {
  public static void main(String[] args) throws Exception {
    ServerBuilder<?> builder = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create());
    for (FileDescriptor file : readFiles(Path.of(args[0]))) {
      for (ServiceDescriptor service : file.getServices()) builder.addService(define(service));
    }
    Server server = builder.addService(ProtoReflectionServiceV1.newInstance()).build().start();
    System.out.println(server.getPort());
    System.in.transferTo(java.io.OutputStream.nullOutputStream());
    server.shutdownNow();
  }

  /** The files of the set, which has imports before the files that import them. */
  private static List<FileDescriptor> readFiles(Path path) throws Exception {
    Map<String, FileDescriptor> files = new LinkedHashMap<>();
    for (FileDescriptorProto proto : FileDescriptorSet.parseFrom(Files.readAllBytes(path)).getFileList()) {
      FileDescriptor[] imports = proto.getDependencyList().stream().map(files::get).toArray(FileDescriptor[]::new);
      files.put(proto.getName(), FileDescriptor.buildFrom(proto, imports));
    }
    return new ArrayList<>(files.values());
  }

  private static ServerServiceDefinition define(ServiceDescriptor service) {
    ProtoFileDescriptorSupplier schema = service::getFile;
    io.grpc.ServiceDescriptor.Builder descriptor =
        io.grpc.ServiceDescriptor.newBuilder(service.getFullName()).setSchemaDescriptor(schema);
    List<io.grpc.MethodDescriptor<byte[], byte[]>> methods = new ArrayList<>();
    for (MethodDescriptor method : service.getMethods()) {
      String name = io.grpc.MethodDescriptor.generateFullMethodName(service.getFullName(), method.getName());
      methods.add(
          io.grpc.MethodDescriptor.newBuilder(bytes, bytes).setType(MethodType.UNARY).setFullMethodName(name).build());
    }
    methods.forEach(descriptor::addMethod);
    ServerServiceDefinition.Builder definition = ServerServiceDefinition.builder(descriptor.build());
    for (io.grpc.MethodDescriptor<byte[], byte[]> method : methods) {
      definition.addMethod(
          method,
          ServerCalls.asyncUnaryCall(
              (request, responses) -> {
                responses.onNext(request);
                responses.onCompleted();
              }));
    }
    return definition.build();
  }

  private static final Marshaller<byte[]> bytes =
      new Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        }
      };
}
