using System.Text;
using Supervisor.Core.Protocols;

namespace Supervisor.Core.Tests.Handoff;

/// <summary>What a packet to the broker may hold.</summary>
public class BrokerRequestTests
{
    [Theory]
    [InlineData("""{"method":"take","listeners":["web","api"]}""", BrokerMethod.Take, "web api", null)]
    [InlineData("""{"listeners":["web"],"method":"take"}""", BrokerMethod.Take, "web", null)]
    [InlineData("""{"method":"put","name":"legacy"}""", BrokerMethod.Put, "", "legacy")]
    [InlineData("""{"method":"drop","name":"a.B-c_9"}""", BrokerMethod.Drop, "", "a.B-c_9")]
    [InlineData("""{"method":"list"}""", BrokerMethod.List, "", null)]
    [InlineData("""{"method":"succeed"}""", BrokerMethod.Succeed, "", null)]
    [InlineData("""{"method":"list","since":{"a":[1,{"b":null}]},"x":"y"}""", BrokerMethod.List, "", null)]
    public void A_request_is_read_and_its_unknown_fields_are_ignored(string text, BrokerMethod method, string listeners, string? name)
    {
        Assert.True(BrokerRequest.TryParse(Encoding.UTF8.GetBytes(text), out var request, out _));
        Assert.Equal((method, listeners, name), (request.Method, string.Join(' ', request.Listeners), request.Name));
    }

    [Theory]
    [InlineData("""{"method":"take","listeners":["web"],"token":"secret"}""", "secret")]
    [InlineData("""{"token":"secret","method":"list"}""", "secret")]
    [InlineData("""{"method":"list"}""", null)]
    [InlineData("""{"method":"drop","name":"a","token":"secret"}""", null)]
    public void A_request_can_contain_a_token(string text, string? token)
    {
        Assert.True(BrokerRequest.TryParse(Encoding.UTF8.GetBytes(text), out var request, out _));
        Assert.Equal(token, request.Token);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"method":"list","token":1}""")]
    [InlineData("\"take\"")]
    [InlineData("""{"method":null}""")]
    [InlineData("""{"method":"Take","listeners":["web"]}""")]
    [InlineData("""{"method":"take","listeners":{}}""")]
    [InlineData("""{"method":"take","listeners":[["web"]]}""")]
    [InlineData("""{"method":"take","listeners":["web",null]}""")]
    [InlineData("""{"method":"take","listeners":["web","web"]}""")]
    [InlineData("""{"method":"put","name":""}""")]
    [InlineData("""{"method":"put","name":"a:b"}""")]
    [InlineData("""{"method":"put","name":"\ud800"}""")]
    [InlineData("""{"method":"put","name":7}""")]
    [InlineData("""{"method":"list"},""")]
    public void An_invalid_request_is_rejected_as_invalid(string text)
    {
        Assert.False(BrokerRequest.TryParse(Encoding.UTF8.GetBytes(text), out _, out var error));
        Assert.Equal((BrokerErrorCode.Invalid, "invalid"), (error.Code, error.Word));
    }

    [Fact]
    public void Invalid_text_and_endless_nesting_are_rejected()
    {
        Assert.False(BrokerRequest.TryParse([.. "{\"method\":\""u8, 0xFF, 0xFE, .. "\"}"u8], out _, out _));
        Assert.False(BrokerRequest.TryParse(Encoding.UTF8.GetBytes("{\"x\":" + new string('[', 60_000)), out _, out _));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(10_000)]
    public void A_request_must_not_repeat_a_name(int count)
    {
        var names = Enumerable.Range(0, count).Select(i => $"n{i}").ToArray();
        Assert.True(BrokerRequest.TryParse(Take(names), out var request, out _));
        Assert.Equal(names, request.Listeners.AsEnumerable());
        names[^1] = names[count / 2];
        Assert.False(BrokerRequest.TryParse(Take(names), out _, out var error));
        Assert.Contains("twice", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_known_name_is_read_without_a_new_string()
    {
        const string web = "web";
        var text = """{"method":"take","listeners":["web","web2","none"]}"""u8;
        Assert.True(BrokerRequest.TryParse(text, out var request, out _, name => name is web ? web : null));
        Assert.Equal(["web", "web2", "none"], request.Listeners.AsEnumerable());
        Assert.Same(web, request.Listeners[0]);
    }

    private static byte[] Take(string[] names) =>
        Encoding.UTF8.GetBytes($$"""{"method":"take","listeners":["{{string.Join("\",\"", names)}}"]}""");

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void A_request_name_has_at_most_64_characters(int length, bool valid) =>
        Assert.Equal(valid, BrokerRequest.IsName(new string('a', length)));
}
