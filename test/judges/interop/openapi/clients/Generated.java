package javax.annotation;

// Java 11 has none, and generated code names it.
public @interface Generated {
  String[] value();
  String comments() default "";
}
